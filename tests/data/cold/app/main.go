package main // 2

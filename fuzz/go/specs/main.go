// Command specs says what buildx makes of cache strings: the other half of fuzz/strings.py.
//
// Standard input has a JSON object a line, with the string as "input". For each, standard output has a line with the
// entries as buildx reads them, or its error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/docker/buildx/util/buildflags"
)

type question struct {
	Input string `json:"input"`
}

type entry struct {
	Type  string            `json:"type"`
	Attrs map[string]string `json:"attrs"`
}

type answer struct {
	Entries []entry `json:"entries"`
	Error   *string `json:"error"`
}

func read(input string) (a answer) {
	a.Entries = []entry{}
	found, err := buildflags.ParseCacheEntry([]string{input})
	if err != nil {
		words := err.Error()
		a.Error = &words
		return a
	}
	for _, one := range found {
		attrs := one.Attrs
		if attrs == nil {
			attrs = map[string]string{}
		}
		a.Entries = append(a.Entries, entry{Type: one.Type, Attrs: attrs})
	}
	return a
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var asked question
		if err := decoder.Decode(&asked); err != nil {
			return
		}
		if err := encoder.Encode(read(asked.Input)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

"""Settings that stand for gigabytes, or for hours: they are read in seconds, or refused."""

from __future__ import annotations

import time

import pytest

from cachegraph.lint.reader import read_texts

pytestmark = pytest.mark.slow  # files that are made to take long

STEP = "{uses: docker/build-push-action@v6, with: {cache-from: 'type=gha,scope=${{ matrix.a }}'}}"
DOUBLED = "\n".join(f"V{level}=$(V{level - 1})$(V{level - 1})" for level in range(1, 60))
MATRIX = "parallel: {matrix: [{A: [" + "1, " * 200 + "]}]}"
CASES = [
    ("a.sh", "if a; then\n" * 40_000 + "docker build ."),
    ("a.sh", "".join(f"if a; then A{at}=x; fi\n" for at in range(30_000)) + "docker build ."),
    ("a.sh", "".join(f"[ a ] && A{at}=x\n" for at in range(30_000)) + "docker build ."),
    ("a.sh", "A=(" + "'' " * 100_000 + ")\n" + 'x "${A[@]}"\n' * 2_000 + "docker build ."),
    ("Makefile", "ifdef A\n" + "else\n" * 500_000 + "a:\n\tdocker build ."),
    ("Makefile", "ifdef A\n" * 40_000 + "B=x\n" * 40_000 + "a:\n\tdocker build ."),
    ("Makefile", "A += x\n" * 500_000 + "a:\n\tdocker build ."),
    ("Jenkinsfile", "a='x'" + " " * 100_000 + "x\nsh 'docker build .'"),
    (".gitlab-ci.yml", f"a: {{{MATRIX}, script: [{'docker build ., ' * 1000}]}}"),
    (".gitlab-ci.yml", f"a: {{{MATRIX}, script: [docker build ., {'a b c d e f g h, ' * 3000}]}}"),
    ("a.sh", "$(" * 50_000),
    ("a.sh", "`" * 50_001),
    ("a.sh", "A=(" * 30_000),
    ("a.sh", "<<E\n" * 20_000),
    ("a.sh", "if " * 50_000),
    ("a.sh", "X=$X$X\n" * 200 + "docker build --cache-from $X ."),
    ("a.sh", "A+=$A$A\n" * 60),
    ("a.sh", 'bash -c "docker build ' * 3000),
    ("a.sh", "if a; then X=1; else X=2; fi\n" * 3000 + "docker build --cache-from $X ."),
    ("Makefile", "A=$(A)$(A)\nx:\n\tdocker build $(A)"),
    ("Makefile", f"{DOUBLED}\nV0=x\nx:\n\tdocker build --cache-from $(V59) ."),
    ("Makefile", "$(" * 50_000 + "\n\tdocker build " + "$(" * 50_000),
    ("Makefile", "ifeq (a,b)\nX=docker build $(X)1\n" * 2000 + "a:\n\tdocker build --cache-from $(X)"),
    ("Jenkinsfile", "'''" * 30_001),
    ("Jenkinsfile", 'sh "docker build ${' * 20_000),
    (".gitlab-ci.yml", "a: {extends: a, script: [docker build --cache-from $X .], variables: {X: $Y$Y, Y: $X$X}}"),
    (".gitlab-ci.yml", "a: {script: !reference [a, script]}\nb: {script: [docker build]}"),
    (".gitlab-ci.yml", "- a"),
    ("devcontainer.json", "/*" * 50_000),
    ("devcontainer.json", '{"build": {"cacheFrom": ["${' + "a" * 50_000 + '"]}}'),
    ("skaffold.yaml", "apiVersion: skaffold/v1\nbuild: {artifacts: [7, {docker: {cacheFrom: ['{{{{{{']}}]}"),
    ("docker-compose.yml", "services: {a: {extends: a, build: {cache_from: ['" + "${A:-" * 50_000 + "']}}}"),
    ("x.yml", "on: push\njobs: {a: {strategy: {matrix: {a: [" + "1," * 5000 + "]}}, steps: [" + STEP + "]}}"),
    ("x.yml", "on: 7\njobs: {a: {steps: 7, strategy: 7, env: 7, if: 7}}"),
]


@pytest.mark.parametrize(("name", "text"), CASES)
def test_a_hostile_file(name: str, text: str) -> None:
    began = time.process_time()
    read = read_texts({name: text})
    assert time.process_time() - began < 5
    assert all(failure.place.file == name for failure in read.failures)
    assert len(read.builds) <= 20_000

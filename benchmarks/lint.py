"""What linting a large repository takes: ``python benchmarks/lint.py [FILES]``.

A repository is made of the shapes that people write: workflows with several jobs and matrices, bake files with
variables and functions, compose files, GitLab files, scripts, and Dockerfiles of several stages. Wall-clock seconds of
the whole command in a process of its own, its start included, the best of several.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent

WORKFLOW = """\
name: image {n}
on:
  push: {{branches: [main]}}
  pull_request:
env:
  IMAGE: ghcr.io/acme/app-{n}
jobs:
  build:
    strategy:
      matrix:
        platform: [linux/amd64, linux/arm64]
    runs-on: ubuntu-latest
    permissions: {{contents: read, packages: write}}
    steps:
      - uses: actions/checkout@v5
      - uses: docker/setup-buildx-action@v3
      - uses: docker/login-action@v3
        with:
          registry: ghcr.io
          username: ${{{{ github.actor }}}}
          password: ${{{{ secrets.GITHUB_TOKEN }}}}
      - uses: docker/build-push-action@v6
        with:
          context: .
          file: images/{n}/Dockerfile
          platforms: ${{{{ matrix.platform }}}}
          build-args: COMMIT=${{{{ github.sha }}}}
          cache-from: |
            type=registry,ref=${{{{ env.IMAGE }}}}:cache
            type=gha,scope=app-{n}
          cache-to: type=gha,scope=app-{n},mode=max
  test:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: docker/setup-buildx-action@v3
      - run: |
          docker buildx build --target test --cache-from type=gha,scope=app-{n} \\
            -f images/{n}/Dockerfile .
"""
BAKE = """\
variable "TAG" {{ default = "main" }}
function "cache" {{
  params = [name]
  result = ["type=registry,ref=ghcr.io/acme/${{name}}:cache-${{TAG}}"]
}}
group "default" {{ targets = ["web", "api"] }}
target "web" {{
  context = "images/{n}"
  cache-from = cache("web-{n}")
  cache-to = ["type=registry,ref=ghcr.io/acme/web-{n}:cache-${{TAG}},mode=max"]
}}
target "api" {{
  inherits = ["web"]
  target = "api"
  cache-from = cache("api-{n}")
}}
"""
COMPOSE = """\
services:
  web:
    build:
      context: .
      cache_from: ["type=registry,ref=ghcr.io/acme/web-{n}:${{TAG:-cache}}"]
      cache_to: ["type=registry,ref=ghcr.io/acme/web-{n}:${{TAG:-cache}},mode=max"]
  worker:
    build:
      context: worker
      cache_from: ["type=registry,ref=ghcr.io/acme/worker-{n}:cache"]
"""
GITLAB = """\
.image:
  image: docker:28
  variables: {{NAME: app-{n}}}
  script:
    - docker buildx create --use
    - docker buildx build --cache-from $CI_REGISTRY_IMAGE/$NAME:main --cache-to type=inline -t $NAME --push .
image-{n}:
  extends: .image
"""
SCRIPT = """\
#!/bin/sh
set -eu
docker buildx build --cache-from "type=registry,ref=acme/app-{n}:cache" \\
  --cache-to "type=registry,ref=acme/app-{n}:cache,mode=max" .
"""
DOCKERFILE = """\
FROM node:24 AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY src src
RUN npm run build
FROM build AS test
RUN npm test
FROM nginx:1.29
ARG COMMIT
COPY --from=build /app/dist /usr/share/nginx/html
RUN echo "$COMMIT" > /commit
"""
KINDS = (
    (".github/workflows/image-{n}.yml", WORKFLOW, 30),
    ("images/{n}/Dockerfile", DOCKERFILE, 30),
    ("images/{n}/docker-bake.hcl", BAKE, 10),
    ("images/{n}/compose.yaml", COMPOSE, 15),
    ("ci/image-{n}.gitlab-ci.yml", GITLAB, 5),
    ("scripts/build-{n}.sh", SCRIPT, 10),
)
"""Name, text, and how many of a hundred files are such."""


def make(root: Path, files: int) -> int:
    """Write a repository with so many files; give their number."""
    (root / ".git").mkdir()
    (root / ".dockerignore").write_text(".git\n")
    count = 0
    for name, text, share in KINDS:
        for number in range(files * share // 100):
            path = root / name.format(n=number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if text is DOCKERFILE else text.format(n=number))
            count += 1
    return count


def measure(files: int) -> None:
    """Print the figures of one size."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        count = make(root, files)
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "cachegraph", "lint", "--fail-on", "never", str(root)],
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
            )
            seconds.append(time.perf_counter() - begin)
    print(f"{count:,} files: {min(seconds):.2f} s ({', '.join(f'{one:.2f}' for one in seconds)})")
    print(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "")
    print(*[line for line in done.stdout.splitlines() if "cache entries" in line])


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 500)

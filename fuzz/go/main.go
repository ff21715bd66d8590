// Command fuzz says what BuildKit's own importer makes of cache configs: the other half of fuzz/differential.py.
//
// Standard input has a JSON string a line, base64 of a config's bytes. For each, standard output has a line with how it
// was decoded (written back), and the error of the importer, which is given every layer's blob as one that is there.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	cacheimport "github.com/moby/buildkit/cache/remotecache/v1"
	cacheimporttypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type verdict struct {
	Decoded json.RawMessage `json:"decoded,omitempty"`
	JSON    string          `json:"json,omitempty"`
	Import  string          `json:"import,omitempty"`
}

func judge(data []byte) (v verdict) {
	defer func() {
		if r := recover(); r != nil {
			v.Import = fmt.Sprintf("panic: %v", r)
		}
	}()
	var config cacheimporttypes.CacheConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return verdict{JSON: err.Error()}
	}
	// A time outside of the years that JSON can hold can be read, but not written.
	if decoded, err := json.Marshal(config); err == nil {
		v.Decoded = decoded
	}
	provider := cacheimport.DescriptorProvider{}
	for _, layer := range config.Layers {
		provider[layer.Blob] = cacheimport.DescriptorProviderPair{
			Descriptor: ocispecs.Descriptor{Digest: digest.Digest(layer.Blob)},
		}
	}
	if err := cacheimport.Parse(data, provider, cacheimport.NewCacheChains()); err != nil {
		v.Import = err.Error()
	}
	return v
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var data []byte
		if err := decoder.Decode(&data); err != nil {
			return
		}
		if err := encoder.Encode(judge(data)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// config is what the function's environment asks of us.
type config struct {
	endpoint string // URL that takes telemetry
	key      string // ingest key, empty while it has to be fetched
	keyARN   string // of a secret or a parameter that holds the key
	caFile   string // PEM certificates trusted besides those of the system
	streams  []string
	masks    []*regexp.Regexp
	grace    time.Duration // how long after the runtime is done we may hold the environment
	memoryMB int
}

const (
	path         = "/ingest/v1/telemetry"
	defaultGrace = 100 * time.Millisecond
	longestGrace = 2 * time.Second
)

var (
	knownStreams   = map[string]bool{"platform": true, "function": true, "extension": true}
	defaultStreams = []string{"platform", "function"}
)

// readConfig reads the environment. Its error names the variable and what it should be.
func readConfig() (config, error) {
	c := config{
		key:     strings.TrimSpace(os.Getenv("NIGHTJAR_KEY")),
		keyARN:  strings.TrimSpace(os.Getenv("NIGHTJAR_KEY_ARN")),
		caFile:  os.Getenv("NIGHTJAR_CA_FILE"),
		streams: defaultStreams,
		grace:   defaultGrace,
	}
	c.memoryMB, _ = strconv.Atoi(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	base, err := url.Parse(os.Getenv("NIGHTJAR_ENDPOINT"))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return c, errors.New("NIGHTJAR_ENDPOINT must be the address of Nightjar, such as https://nightjar.example.com")
	}
	c.endpoint = strings.TrimSuffix(base.String(), "/") + path
	if c.key == "" && c.keyARN == "" {
		return c, errors.New("NIGHTJAR_KEY must be an ingest key, or NIGHTJAR_KEY_ARN the secret or parameter that holds one")
	}
	if text := os.Getenv("NIGHTJAR_STREAMS"); text != "" {
		if c.streams, err = readStreams(text); err != nil {
			return c, err
		}
	}
	if text := os.Getenv("NIGHTJAR_FLUSH_MS"); text != "" {
		ms, err := strconv.Atoi(text)
		if c.grace = time.Duration(ms) * time.Millisecond; err != nil || ms < 0 || c.grace > longestGrace {
			return c, errors.New("NIGHTJAR_FLUSH_MS must be a whole number from 0 to 2000")
		}
	}
	for _, line := range strings.Split(os.Getenv("NIGHTJAR_MASK"), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		mask, err := regexp.Compile(line)
		if err != nil {
			return c, fmt.Errorf("NIGHTJAR_MASK must be regular expressions, one a line: %w", err)
		}
		c.masks = append(c.masks, mask)
	}
	return c, nil
}

func readStreams(text string) ([]string, error) {
	streams := strings.Split(text, ",")
	platform := false
	for _, stream := range streams {
		if !knownStreams[stream] {
			return nil, errors.New("NIGHTJAR_STREAMS must be platform, platform,function or platform,function,extension")
		}
		platform = platform || stream == "platform"
	}
	if !platform {
		return nil, errors.New("NIGHTJAR_STREAMS must name platform, without which nothing can be told")
	}
	return streams, nil
}

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"time"
)

// function is how the envelope describes the function.
type function struct {
	ARN          string `json:"arn"`
	Version      string `json:"version,omitempty"`
	MemoryMB     int    `json:"memory_mb,omitempty"`
	EphemeralMB  int    `json:"ephemeral_mb,omitempty"`
	Architecture string `json:"architecture,omitempty"`
	InitType     string `json:"init_type,omitempty"`
	LogGroup     string `json:"log_group,omitempty"`
}

// about is how it describes us.
type about struct {
	Version string  `json:"version"`
	InitMs  float64 `json:"init_ms"` // from our start until we were registered and subscribed
}

// envelope writes bodies: into the same buffers again and again, since nobody else should notice our garbage.
type envelope struct {
	function  function
	extension about
	plain     bytes.Buffer
	packed    bytes.Buffer
	zip       *gzip.Writer
}

// Nightjar takes a body for a bomb that expands to more than a hundred times its size, unless it stays small.
const (
	mostRatio = 90
	harmless  = 60 << 10
)

// body answers the bytes and their Content-Encoding; they are good until the next body is written. Only sent_at
// differs when the same events are sent again.
func (e *envelope) body(entries []entry, now time.Time) ([]byte, string) {
	head, _ := json.Marshal(map[string]any{
		"schema": 1, "function": e.function, "extension": e.extension,
		"sent_at": now.UTC().Format(time.RFC3339Nano),
	})
	e.plain.Reset()
	e.plain.Write(head[:len(head)-1])
	e.plain.WriteString(`,"events":[`)
	for i, each := range entries {
		if i > 0 {
			e.plain.WriteByte(',')
		}
		e.plain.Write(each.json)
	}
	e.plain.WriteString("]}")
	e.packed.Reset()
	if e.zip == nil {
		e.zip, _ = gzip.NewWriterLevel(&e.packed, gzip.BestSpeed)
	}
	e.zip.Reset(&e.packed)
	_, _ = e.zip.Write(e.plain.Bytes()) // Into memory, which does not fail.
	_ = e.zip.Close()
	if e.plain.Len() > max(harmless, e.packed.Len()*mostRatio) {
		return e.plain.Bytes(), "identity"
	}
	return e.packed.Bytes(), "gzip"
}

// own is an event of ours, in the shape that Lambda's have. It stands for as many events as counts says.
func own(ids *ids, kind string, record any, counts int) entry {
	now := time.Now()
	raw, _ := json.Marshal(map[string]any{"time": now.UTC().Format(time.RFC3339Nano), "type": kind, "record": record})
	return entry{identified(ids, raw, now), counts}
}

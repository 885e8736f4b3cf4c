package main

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// ids makes UUIDs of version 7 (RFC 9562): the time in ms, a counter in place of rand_a, and 62 random bits.
// They are made once for each event and kept through retries. The bits come from the kernel each time, because
// environments that SnapStart restores from one snapshot share whatever we remember. Not safe for concurrent use.
type ids struct {
	ms      uint64
	counter uint64
}

const perMillisecond = 1 << 12

// append writes the text of the next id to b.
func (i *ids) append(b []byte, now time.Time) []byte {
	ms := uint64(now.UnixMilli())
	i.counter++
	if ms > i.ms {
		i.ms, i.counter = ms, 0
	} else if i.counter == perMillisecond {
		i.ms, i.counter = i.ms+1, 0 // Borrowed from the next millisecond, so that ids stay in order.
	}
	var id [16]byte
	_, _ = rand.Read(id[8:]) // Never fails: crypto/rand ends the program instead.
	binary.BigEndian.PutUint64(id[0:], i.ms<<16|7<<12|i.counter)
	id[8] = id[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return append(b, text[:]...)
}

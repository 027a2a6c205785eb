package proof

import "slices"

// A memo numbers keys, which are lists of numbers, from 1 on, and keeps an answer for
// each. The zero memo is empty.
type memo struct {
	slots     []int32 // hash table of numbers of keys, 0 for none; its length is a power of two
	questions []question
	keys      []uint32 // one after the other
}

type question struct {
	end     int // of the key in keys
	hash    uint32
	answer  answer
	counter int // of refuted ones: index of the counterexample
}

// An answer is what is known of a question that was asked before.
type answer uint8

const (
	unanswered answer = iota
	proved
	refuted
	unproved // the lemma may be true, but takes more than lemmas to prove
)

// number returns the number of a key, a new one if it is not there.
func (m *memo) number(key []uint32) int {
	if 2*len(m.questions) >= len(m.slots) {
		m.grow()
	}
	h := uint32(len(key))
	for _, k := range key {
		h = (h ^ k) * 0x9e3779b1
		h ^= h >> 15
	}
	mask := uint32(len(m.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		n := int(m.slots[i])
		if n == 0 {
			m.keys = append(m.keys, key...)
			m.questions = append(m.questions, question{end: len(m.keys), hash: h})
			m.slots[i] = int32(len(m.questions))
			return len(m.questions)
		}
		if m.questions[n-1].hash == h && slices.Equal(m.key(n), key) {
			return n
		}
	}
}

func (m *memo) key(n int) []uint32 {
	start := 0
	if n > 1 {
		start = m.questions[n-2].end
	}
	return m.keys[start:m.questions[n-1].end]
}

func (m *memo) grow() {
	if m.slots == nil {
		m.questions, m.keys = make([]question, 0, 32), make([]uint32, 0, 512)
	}
	m.slots = make([]int32, max(64, 2*len(m.slots)))
	mask := uint32(len(m.slots) - 1)
	for n := range m.questions {
		i := m.questions[n].hash & mask
		for m.slots[i] != 0 {
			i = (i + 1) & mask
		}
		m.slots[i] = int32(n + 1)
	}
}

package compile

import "slices"

// A memo knows the nodes that were built for rules that are live and an order of the words
// that are left: different values of earlier words, and different orders of these, come to
// the same.
type memo struct {
	entries []memoEntry
	sets    ruleSet
	table   []int32 // open addressing, by hash of the key; 0 is free, so indices are stored +1
}

type memoEntry struct {
	suffix uint64
	hash   uint32
	id     NodeID
}

const minMemo = 128

// forget makes a memo empty.
func (m *memo) forget() {
	m.entries, m.sets = slices.Grow(m.entries[:0], minMemo/2), slices.Grow(m.sets[:0], minMemo/2)
	m.table = slices.Grow(m.table[:0], minMemo)[:minMemo]
	clear(m.table)
}

func hashOf(suffix uint64, live ruleSet) uint32 {
	h := mix(uint32(suffix), uint32(suffix>>32))
	for _, w := range live {
		h = mix(mix(h, uint32(w)), uint32(w>>32))
	}
	return h
}

// get returns the node for a key.
func (m *memo) get(hash uint32, suffix uint64, live ruleSet) (id NodeID, ok bool) {
	mask := uint32(len(m.table) - 1)
	for i := hash & mask; m.table[i] != 0; i = (i + 1) & mask {
		at := int(m.table[i] - 1)
		e := &m.entries[at]
		if e.hash == hash && e.suffix == suffix && live.equal(m.sets[at*len(live):][:len(live)]) {
			return e.id, true
		}
	}
	return 0, false
}

// put adds the node for a key that there is none for.
func (m *memo) put(hash uint32, suffix uint64, live ruleSet, id NodeID) {
	m.entries = append(m.entries, memoEntry{suffix, hash, id})
	m.sets = append(m.sets, live...)
	if 2*len(m.entries) <= len(m.table) {
		m.place(len(m.entries) - 1)
		return
	}
	n := 2 * len(m.table)
	m.table = slices.Grow(m.table[:0], n)[:n]
	clear(m.table)
	for at := range m.entries {
		m.place(at)
	}
}

func (m *memo) place(at int) {
	mask := uint32(len(m.table) - 1)
	i := m.entries[at].hash & mask
	for m.table[i] != 0 {
		i = (i + 1) & mask
	}
	m.table[i] = int32(at + 1)
}

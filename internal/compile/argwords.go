package compile

import (
	"math"
	"math/bits"
	"slices"
)

// A ruleSet is a set of a call's rules, a bit for each.
type ruleSet []uint64

func (s ruleSet) has(r int) bool { return s[r/64]>>(r%64)&1 != 0 }
func (s ruleSet) add(r int)      { s[r/64] |= 1 << (r % 64) }
func (s ruleSet) drop(r int)     { s[r/64] &^= 1 << (r % 64) }
func (s ruleSet) flip(r int)     { s[r/64] ^= 1 << (r % 64) }

// first returns the smallest rule of a set, -1 if it is empty.
func (s ruleSet) first() int {
	for i, w := range s {
		if w != 0 {
			return i*64 + bits.TrailingZeros64(w)
		}
	}
	return -1
}

// single reports whether a set that is not empty has one rule.
func (s ruleSet) single() bool {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n == 1
}

func (s ruleSet) meets(t ruleSet) bool {
	for i, w := range s {
		if w&t[i] != 0 {
			return true
		}
	}
	return false
}

func (s ruleSet) remove(t ruleSet) {
	for i := range s {
		s[i] &^= t[i]
	}
}

func (s ruleSet) unite(t ruleSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s ruleSet) equal(t ruleSet) bool {
	for i, w := range s {
		if w != t[i] {
			return false
		}
	}
	return true
}

// firstOf returns the smallest rule that both sets have, -1 if there is none.
func (s ruleSet) firstOf(t ruleSet) int {
	for i, w := range s {
		if w&t[i] != 0 {
			return i*64 + bits.TrailingZeros64(w&t[i])
		}
	}
	return -1
}

// settle drops the rules behind the first one that is not open, in either of two sets: it
// holds always.
func (s ruleSet) settle(open, also ruleSet) {
	for i, w := range s {
		if sure := w &^ (open[i] | also[i]); sure != 0 {
			s[i] &= sure ^ (sure - 1)
			clear(s[i+1:])
			return
		}
	}
}

// maxArgWords is the number of words of arguments.
const maxArgWords = 12

// A column is what the rules of a call ask of one word.
type column struct {
	word  Word
	tests int
	asked ruleSet  // rules with a test of the word
	ends  []uint32 // last values of its pieces: in each, every test of an interval has one outcome
	live  ruleSet  // for each piece, the rules whose tests of intervals pass
	bits  ruleSet  // rules with a test under a mask
	masks []maskColumn
}

// A maskColumn is the rules that need a test under a mask to pass, and to fail.
type maskColumn struct {
	mask, value   uint32
	passes, fails ruleSet
}

// tabulate makes the columns of the rules. ok is false if they would take too much
// room.
func (m *matcher) tabulate() (ok bool) {
	m.size = (len(m.rules) + 63) / 64
	m.addColumns()
	room := 0
	for i := range m.columns {
		c := &m.columns[i]
		slices.Sort(c.ends)
		c.ends = slices.Compact(c.ends)
		room += m.size * len(c.ends)
	}
	if room > maxRoom {
		return false
	}
	m.room = zeros(m.room, room+2*len(m.columns)*m.size)
	sets := m.room
	for i := range m.columns {
		sets = m.columns[i].clear(sets, m.size, len(m.rules))
	}
	for r := range m.rules {
		for i := range m.rules[r].tests {
			t := &m.rules[r].tests[i]
			switch c := &m.columns[m.at[t.word]]; {
			case t.mask != 0:
				c.addMask(t, r, m.size)
			case m.rules[r].alone:
				c.addInterval(t, r, m.size)
			}
		}
	}
	for i := range m.columns {
		live := m.columns[i].live
		for j := m.size; j < len(live); j++ {
			live[j] ^= live[j-m.size]
		}
	}
	m.addOthers()
	return true
}

// maxRoom bounds the words of all columns.
const maxRoom = 1 << 19

// usualPieces is the room for the pieces of a word at first, before there are doubles.
const usualPieces = 8

// addColumns makes a column with its pieces, in any order, for each word that is tested.
func (m *matcher) addColumns() {
	words := uint16(0)
	for i := range m.rules {
		words |= m.rules[i].words
	}
	if m.columns == nil {
		m.columns = make([]column, maxArgWords)
		ends := make([]uint32, usualPieces*maxArgWords)
		for i := range m.columns {
			m.columns[i].ends = ends[i*usualPieces:][:0:usualPieces]
		}
	}
	m.columns = m.columns[:bits.OnesCount16(words)]
	for i := range m.columns {
		c := &m.columns[i]
		c.word = Word(bits.TrailingZeros16(words))
		c.tests, c.ends = 0, append(c.ends[:0], math.MaxUint32)
		m.at[c.word] = uint8(i)
		words &= words - 1
	}
	for i := range m.rules {
		for j := range m.rules[i].tests {
			t := &m.rules[i].tests[j]
			c := &m.columns[m.at[t.word]]
			c.tests++
			if t.mask != 0 {
				continue
			}
			if t.first > 0 {
				c.ends = append(c.ends, t.first-1)
			}
			c.ends = append(c.ends, t.last)
		}
	}
}

// clear forgets all tests. It takes its sets from the front of empty ones, and returns
// the rest.
func (c *column) clear(sets ruleSet, size, rules int) (rest ruleSet) {
	c.asked, c.bits, sets = sets[:size], sets[size:2*size], sets[2*size:]
	n := size * len(c.ends)
	c.live, sets = sets[:n], sets[n:]
	for r := range rules {
		c.live.add(r)
	}
	c.masks = c.masks[:0]
	return sets
}

func zeros(s ruleSet, n int) ruleSet {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// piece returns the piece that holds a value.
func (c *column) piece(v uint32) int {
	i, _ := slices.BinarySearch(c.ends, v)
	return i
}

// addInterval flips the bit of a rule where the outcome of its test changes; before
// it is any value, a test that is not negated fails.
func (c *column) addInterval(t *wordTest, r, size int) {
	c.asked.add(r)
	if !t.negated {
		c.live.flip(r)
	}
	c.live[size*c.piece(t.first):].flip(r)
	if t.last < math.MaxUint32 {
		c.live[size*(c.piece(t.last)+1):].flip(r)
	}
}

func (c *column) addMask(t *wordTest, r, size int) {
	c.asked.add(r)
	c.bits.add(r)
	i := slices.IndexFunc(c.masks, func(k maskColumn) bool { return k.mask == t.mask && k.value == t.first })
	if i < 0 {
		i = len(c.masks)
		c.masks = append(c.masks, maskColumn{t.mask, t.first, make(ruleSet, size), make(ruleSet, size)})
	}
	if t.negated {
		c.masks[i].fails.add(r)
	} else {
		c.masks[i].passes.add(r)
	}
}

// addOthers adds the tests of intervals of the rules that test a word more than once:
// where one of them fails the rule is not live.
func (m *matcher) addOthers() {
	for r := range m.rules {
		if m.rules[r].alone {
			continue
		}
		for i := range m.rules[r].tests {
			t := &m.rules[r].tests[i]
			if t.mask != 0 {
				continue
			}
			c := &m.columns[m.at[t.word]]
			c.asked.add(r)
			for j, end := range c.ends {
				if (t.first <= end && end <= t.last) == t.negated {
					c.live[m.size*j:].drop(r)
				}
			}
		}
	}
}

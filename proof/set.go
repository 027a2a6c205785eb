package proof

// A set is a set of calls: of values of the 512 bits of struct seccomp_data. It
// is a reference into the reduced ordered binary decision diagram of a
// [universe], which has exactly one for every set, so equal sets are equal
// numbers. Bit 0 marks the complement of the set that the other bits name.
type set uint32

const (
	none set = 0 // no call
	all  set = 1 // every call
)

func (s set) not() set { return s ^ 1 }

// A node tests one bit of a call; both children test only later bits. lo is
// never a complement, which makes nodes unique.
type node struct {
	level  uint16
	lo, hi set
}

const (
	opAnd uint8 = iota
	opXor
)

// A cached is the remembered result of one operation.
type cached struct {
	f, g, result set
	op           uint8
}

// A universe owns the nodes of all sets that are compared with each other. Once
// a limit is hit, over says which and every further result is meaningless.
type universe struct {
	order
	limits Limits
	nodes  []node   // nodes[0] stands for no test: the empty set
	table  []uint32 // open-addressed index of nodes, 0 is free
	cache  []cached // direct-mapped, forgets
	steps  int
	over   string
}

func newUniverse(o order, l Limits) *universe {
	return &universe{
		order:  o,
		limits: l,
		nodes:  make([]node, 1, 1<<12),
		table:  make([]uint32, 1<<13),
		cache:  make([]cached, 1<<13),
	}
}

func (u *universe) exhausted(what string) {
	if u.over == "" {
		u.over = what
	}
}

func hash(a, b, c uint32) uint32 {
	h := (uint64(a)<<32|uint64(b))*0x9e3779b97f4a7c15 ^ uint64(c)*0xc2b2ae3d27d4eb4f
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	return uint32(h >> 32)
}

// make returns the set that is hi where the bit of level is one and lo where it
// is zero. Both must only test later levels.
func (u *universe) make(level uint16, lo, hi set) set {
	if lo == hi {
		return lo
	}
	flip := lo & 1
	lo, hi = lo^flip, hi^flip
	mask := uint32(len(u.table) - 1)
	i := hash(uint32(level), uint32(lo), uint32(hi)) & mask
	for ; u.table[i] != 0; i = (i + 1) & mask {
		if u.nodes[u.table[i]] == (node{level, lo, hi}) {
			return set(u.table[i]<<1) | flip
		}
	}
	if len(u.nodes) >= u.limits.Nodes {
		u.exhausted("Nodes")
		return none
	}
	u.nodes = append(u.nodes, node{level, lo, hi})
	n := uint32(len(u.nodes) - 1)
	u.table[i] = n
	if 2*len(u.nodes) > len(u.table) {
		u.grow()
	}
	return set(n<<1) | flip
}

// grow doubles the index and the cache, which starts empty.
func (u *universe) grow() {
	u.table = make([]uint32, 2*len(u.table))
	u.cache = make([]cached, 2*len(u.cache))
	mask := uint32(len(u.table) - 1)
	for n := 1; n < len(u.nodes); n++ {
		d := u.nodes[n]
		i := hash(uint32(d.level), uint32(d.lo), uint32(d.hi)) & mask
		for u.table[i] != 0 {
			i = (i + 1) & mask
		}
		u.table[i] = uint32(n)
	}
}

// lastLevel is later than every bit: the level of [none] and [all].
const lastLevel = ^uint16(0)

func (u *universe) level(s set) uint16 {
	if s <= all {
		return lastLevel
	}
	return u.nodes[s>>1].level
}

// at returns the parts of s where the bit of level is zero and one. s must not
// test an earlier bit.
func (u *universe) at(s set, level uint16) (lo, hi set) {
	if u.level(s) != level {
		return s, s
	}
	n := &u.nodes[s>>1]
	return n.lo ^ s&1, n.hi ^ s&1
}

func (u *universe) and(f, g set) set {
	switch {
	case f == none || g == none || f == g.not():
		return none
	case f == all || f == g:
		return g
	case g == all:
		return f
	}
	return u.combine(opAnd, f, g)
}

func (u *universe) or(f, g set) set { return u.and(f.not(), g.not()).not() }

// without returns the calls of f that are not in g.
func (u *universe) without(f, g set) set { return u.and(f, g.not()) }

func (u *universe) xor(f, g set) set {
	switch {
	case f == g:
		return none
	case f == g.not():
		return all
	case f <= all:
		return g ^ f
	case g <= all:
		return f ^ g
	}
	flip := (f ^ g) & 1
	return u.combine(opXor, f&^1, g&^1) ^ flip
}

// combine applies op to two sets of which neither is none or all.
func (u *universe) combine(op uint8, f, g set) set {
	if f > g {
		f, g = g, f
	}
	slot := hash(uint32(f), uint32(g), uint32(op)) & uint32(len(u.cache)-1)
	if c := &u.cache[slot]; c.f == f && c.g == g && c.op == op {
		return c.result
	}
	if u.steps++; u.steps > u.limits.Steps {
		u.exhausted("Steps")
	}
	if u.over != "" {
		return none
	}
	level := min(u.level(f), u.level(g))
	f0, f1 := u.at(f, level)
	g0, g1 := u.at(g, level)
	var result set
	if op == opAnd {
		result = u.make(level, u.and(f0, g0), u.and(f1, g1))
	} else {
		result = u.make(level, u.xor(f0, g0), u.xor(f1, g1))
	}
	slot = hash(uint32(f), uint32(g), uint32(op)) & uint32(len(u.cache)-1) // it may have grown
	u.cache[slot] = cached{f, g, result, op}
	return result
}

// choose returns the calls of g that are in f and those of h that are not.
func (u *universe) choose(f, g, h set) set {
	switch {
	case f == all, g == h:
		return g
	case f == none:
		return h
	}
	if n := &u.nodes[f>>1]; n.lo == none && n.hi == all && u.level(g) > n.level && u.level(h) > n.level {
		if f&1 != 0 {
			g, h = h, g
		}
		return u.make(n.level, h, g)
	}
	return u.or(u.and(f, g), u.without(h, f))
}

package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sort"
)

// A day is what happens in the whole fleet on one day.
type day struct {
	first   int // profiles that a node has never had before
	misses  int // starts whose filter is not in the node's cache
	evicted int // filters
}

// A traffic is what a simulation finds.
type traffic struct {
	days  []day
	users []int // by profile: nodes that use it at the end
	kept  int   // filters in all the caches at the end
}

// simulate lets services come and go on the nodes. Profiles are popular by Zipf's
// law: the second is half as popular as the first, the third a third. All numbers are
// integers, so that they are the same on any machine.
func (f *fleet) simulate() traffic {
	r := rand.New(rand.NewPCG(f.seed, 0))
	popularity := make([]int, f.profiles) // cumulative
	sum := 0
	for i := range popularity {
		sum += 1_000_000 / (i + 1)
		popularity[i] = sum
	}
	draw := func() int { return sort.SearchInts(popularity, r.IntN(sum)+1) }

	t := traffic{days: make([]day, f.days), users: make([]int, f.profiles)}
	for range f.nodes {
		n := node{services: make([]int, 0, f.services), used: make([]int, f.profiles)}
		for d := range t.days {
			if d > 0 {
				n.drop(f.replaced, r)
			}
			n.fill(f.services, draw)
			n.start(f.entries, d, &t.days[d])
		}
		for _, p := range n.services {
			t.users[p]++
		}
		t.kept += n.kept
	}
	return t
}

// A node is one machine.
type node struct {
	services []int // profiles in use
	used     []int // by profile: the day of its last use, from 1, or one of the below
	kept     int   // filters in the cache
}

const (
	never   = 0
	evicted = -1
)

// drop ends some services.
func (n *node) drop(count int, r *rand.Rand) {
	for range count {
		i := r.IntN(len(n.services))
		n.services = slices.Delete(n.services, i, i+1)
	}
}

// fill begins services until there are enough, no two with one profile.
func (n *node) fill(count int, draw func() int) {
	for len(n.services) < count {
		if p := draw(); !slices.Contains(n.services, p) {
			n.services = append(n.services, p)
		}
	}
}

// start starts containers of each service. The first may find no filter in the cache;
// the others of that day do.
func (n *node) start(entries, today int, d *day) {
	for _, p := range n.services {
		if n.used[p] == never {
			d.first++
		}
		if n.used[p] <= never {
			d.misses++
			if n.kept == entries {
				d.evicted += n.evict(entries)
			}
			n.kept++
		}
		n.used[p] = today + 1
	}
}

// evict does what oci.Cache does when it is full, and returns how many filters go.
func (n *node) evict(entries int) int {
	var kept []int
	for p, used := range n.used {
		if used > never {
			kept = append(kept, p)
		}
	}
	slices.SortFunc(kept, func(a, b int) int { return cmp.Or(cmp.Compare(n.used[a], n.used[b]), cmp.Compare(a, b)) })
	kept = kept[:max(1, entries-entries*3/4)]
	for _, p := range kept {
		n.used[p] = evicted
	}
	n.kept -= len(kept)
	return len(kept)
}

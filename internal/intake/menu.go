package intake

// A Language is what there is to choose from for --language and --set.
type Language struct {
	Name     string
	Versions []int // the newest last; none if the language has one meaning
	Settings []Setting
}

// A Setting is a key of --set, with the words that it takes if these are known.
type Setting struct {
	Key   string
	Words []string
}

// Languages returns the languages that --language names.
func Languages() (list []Language) {
	for _, x := range tongues() {
		l := Language{Name: x.name, Versions: x.versions}
		for _, s := range x.settings {
			l.Settings = append(l.Settings, Setting{s.key, s.words})
		}
		list = append(list, l)
	}
	return list
}

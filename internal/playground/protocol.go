package playground

// The types of this file are those of web/src/protocol.ts, which says what they mean. Positions
// in texts count UTF-16 units from 0, as the page's editor does.

// A Source is a profile, policy or filter as it was pasted or opened.
type Source struct {
	Text     string   `json:"text"` // or bytes in base64
	Binary   bool     `json:"binary,omitempty"`
	Name     string   `json:"name"`
	Language string   `json:"language"`
	Settings []string `json:"settings"`
}

// A Target is where the filter will run, and how the profile is read: the flags of the command.
type Target struct {
	ABIs     []string `json:"abis"`
	Mode     string   `json:"mode"`
	Caps     []string `json:"caps"`
	Kernel   string   `json:"kernel"`
	ENOSYS   string   `json:"enosys"`
	BadArch  string   `json:"badArch"`
	Consumer string   `json:"consumer"`
}

// A Subject is what most questions are about.
type Subject struct {
	Source Source `json:"source"`
	Target Target `json:"target"`
}

// A Failure says why an answer is missing.
type Failure struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Languages are those that the source may be in, if the reader has to say which.
	Languages []string `json:"languages,omitempty"`
}

// A Reply is an answer or a failure.
type Reply struct {
	Answer  any      `json:"answer,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// A Span is a part of the text of a source.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// An Edit is one replacement of a fix.
type Edit struct {
	Span
	Insert string `json:"insert"`
}

// A Finding is one of check, or an error or warning of the reader, at its place.
type Finding struct {
	Span
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Pointer  string `json:"pointer"`
	Reason   string `json:"reason"`
	Fix      string `json:"fix"`
	Why      string `json:"why"`
	Edits    []Edit `json:"edits,omitempty"`
}

// A Rule is where the text has a rule.
type Rule struct {
	Span
	Pointer string `json:"pointer"`
}

// A Reading is what the source is.
type Reading struct {
	Kind         string    `json:"kind"`
	Language     string    `json:"language"`
	Detected     bool      `json:"detected"`
	Findings     []Finding `json:"findings"`
	Good         bool      `json:"good"`
	ABIs         []string  `json:"abis"`
	Rules        []Rule    `json:"rules"`
	Instructions int       `json:"instructions"`
	Plain        int       `json:"plain"`
	Proof        string    `json:"proof"`
}

// A CallRef is a system call by number.
type CallRef struct {
	ABI    string `json:"abi"`
	Number uint32 `json:"number"`
}

// A Sentence is what happens to some calls, in words.
type Sentence struct {
	Calls       []NamedCall `json:"calls"`
	Text        string      `json:"text"`
	Look        string      `json:"look"`
	Conditional bool        `json:"conditional"`
}

// A NamedCall is a call of a sentence, or a run of numbers without a name.
type NamedCall struct {
	Name   string `json:"name"`
	Number uint32 `json:"number"`
	Last   uint32 `json:"last,omitempty"`
}

// An ABIMeaning is what happens to the calls of an ABI.
type ABIMeaning struct {
	ABI       string     `json:"abi"`
	Title     string     `json:"title"`
	Sentences []Sentence `json:"sentences"`
}

// An Instruction is one line of a program.
type Instruction struct {
	PC      int      `json:"pc"`
	Text    string   `json:"text"`
	Comment string   `json:"comment"`
	Origins []string `json:"origins"`
	Look    string   `json:"look,omitempty"`
	Targets []int    `json:"targets,omitempty"`
}

// A Trail is what belongs together.
type Trail struct {
	Calls    []CallRef `json:"calls"`
	Nodes    []int     `json:"nodes"`
	PCs      []int     `json:"pcs"`
	Pointers []string  `json:"pointers"`
}

// A Spot is the thing under the pointer: one of its fields.
type Spot struct {
	Call    *CallRef `json:"call,omitempty"`
	Node    *int     `json:"node,omitempty"`
	PC      *int     `json:"pc,omitempty"`
	Pointer *string  `json:"pointer,omitempty"`
}

// A CallText is one call with its arguments, as it was typed.
type CallText struct {
	ABI  string `json:"abi"`
	Text string `json:"text"`
}

// A Verdict is the document of eval --trace --json, and what only the page shows.
type Verdict struct {
	Document  any    `json:"document"`
	Look      string `json:"look"`
	Call      string `json:"call"`
	Text      string `json:"text"`
	Because   string `json:"because"`
	Bitmap    bool   `json:"bitmap"`
	BitmapWhy string `json:"bitmapWhy"`
	Path      Trail  `json:"path"`
	Steps     int    `json:"steps"`
}

// A Comparison is the document of diff --json, with words.
type Comparison struct {
	Document any           `json:"document"`
	Headline string        `json:"headline"`
	Weaker   bool          `json:"weaker"`
	Words    []ChangeWords `json:"words"`
}

// A ChangeWords is a change of a comparison in words.
type ChangeWords struct {
	When    string `json:"when"`
	Witness string `json:"witness"`
	LookA   string `json:"lookA"`
	LookB   string `json:"lookB"`
}

// An Expectation is a line of a test file.
type Expectation struct {
	ABI    string `json:"abi"`
	Call   string `json:"call"`
	Expect string `json:"expect"`
}

// An Outcome is whether an expectation is met.
type Outcome struct {
	Pass    bool     `json:"pass"`
	Got     string   `json:"got"`
	Look    string   `json:"look,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// A Grade is a profile's, with what it is made of.
type Grade struct {
	Letter string     `json:"letter"`
	Points int        `json:"points"`
	Rows   []GradeRow `json:"rows"`
	Badge  string     `json:"badge"`
}

// A GradeRow is a line of a grade.
type GradeRow struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Points int    `json:"points"`
	Of     int    `json:"of"`
}

// A Download is a file to save.
type Download struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Text   string `json:"text"` // or bytes in base64
	Binary bool   `json:"binary,omitempty"`
}

// A Combined is a profile that was made of two.
type Combined struct {
	Download
	Exact bool   `json:"exact"`
	Note  string `json:"note"`
}

// A Shrunk is a smaller way to say the same.
type Shrunk struct {
	Source Source `json:"source"`
	Before int    `json:"before"`
	After  int    `json:"after"`
	Unit   string `json:"unit"`
	Note   string `json:"note"`
}

// A Vocabulary is everything there is to choose from.
type Vocabulary struct {
	Version   string     `json:"version"`
	Languages []Language `json:"languages"`
	ABIs      []string   `json:"abis"`
	Modes     []string   `json:"modes"`
	Caps      []string   `json:"caps"`
	Consumers []string   `json:"consumers"`
	Actions   []string   `json:"actions"`
	Formats   []Format   `json:"formats"`
	Gallery   []Entry    `json:"gallery"`
}

// A Language is one that the command's --language names.
type Language struct {
	Name     string    `json:"name"`
	Title    string    `json:"title"`
	Versions []int     `json:"versions"`
	Settings []Setting `json:"settings"`
}

// A Setting is a setting of a language, with the words that it takes if they are known.
type Setting struct {
	Key   string   `json:"key"`
	Words []string `json:"words"`
}

// A Format is a form of a filter.
type Format struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// An Entry is an example's entry of the gallery's menu.
type Entry struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	About string `json:"about"`
}

// A CallWords is a call's name with its arguments.
type CallWords struct {
	Name string    `json:"name"`
	Args []ArgName `json:"args"`
}

// An ArgName is an argument's name with the constants that it takes.
type ArgName struct {
	Name      string   `json:"name"`
	Constants []string `json:"constants"`
}

// An Example is one source of the gallery, or two to compare.
type Example struct {
	Source       Source        `json:"source"`
	Second       *Source       `json:"second,omitempty"`
	Target       Target        `json:"target"`
	Call         *CallText     `json:"call,omitempty"`
	Expectations []Expectation `json:"expectations,omitempty"`
}

// A Drawing is an SVG element.
type Drawing struct {
	SVG   string `json:"svg"`
	Boxes int    `json:"boxes"`
}

// The questions that carry more than a Subject.
type (
	nothing   struct{}
	galleryOf struct {
		ID string `json:"id"`
	}
	callsOf struct {
		ABI string `json:"abi"`
	}
	drawOf struct {
		Subject
		Stage string `json:"stage"`
		Call  string `json:"call"`
	}
	trailOf struct {
		Subject
		Stage string `json:"stage"`
		Call  string `json:"call"`
		Spot  Spot   `json:"spot"`
	}
	evalOf struct {
		Subject
		Call  CallText `json:"call"`
		Stage string   `json:"stage"`
		Drawn string   `json:"drawn"`
	}
	expectOf struct {
		Subject
		Expectations []Expectation `json:"expectations"`
	}
	writeOf struct {
		Expectations []Expectation `json:"expectations"`
	}
	readOf struct {
		Text string `json:"text"`
	}
	compareOf struct {
		Subject
		Second Source `json:"second"`
	}
	combineOf struct {
		Subject
		Second Source `json:"second"`
		How    string `json:"how"`
	}
	downloadOf struct {
		Subject
		Format string `json:"format"`
	}
	reportOf struct {
		Subject
		Second *Source `json:"second,omitempty"`
	}
)

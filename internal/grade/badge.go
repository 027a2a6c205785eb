package grade

import "fmt"

// Badge returns a picture of the grade as SVG. It loads nothing, and is the same for the
// same points.
func (g *Grade) Badge() []byte {
	const (
		label = "seccomp"
		pad   = 8 // pixels on both sides of a text
		char  = 7 // pixels for each character; the reader's font is stretched to fit
	)
	letter, text := g.Letter(), fmt.Sprintf("%s %d", g.Letter(), g.Points)
	left, right := len(label)*char+2*pad, len(text)*char+2*pad
	title := fmt.Sprintf("seccomp grade %s: %d of 100 points", letter, g.Points)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s">
<title>%[2]s</title>
<rect width="%[1]d" height="20" rx="3" fill="%[3]s"/>
<path d="M3 0h%[4]dv20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#404040"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="%[5]d" y="14" textLength="%[6]d" lengthAdjust="spacingAndGlyphs">%[7]s</text>
<text x="%[8]d" y="14" textLength="%[9]d" lengthAdjust="spacingAndGlyphs">%[10]s</text>
</g>
</svg>
`, left+right, title, color(letter), left-3, pad, left-2*pad, label, left+pad, right-2*pad, text)
}

// color returns a colour on which white text is easy to read.
func color(letter string) string {
	switch letter {
	case "A":
		return "#1b7f37"
	case "B":
		return "#4c7a00"
	case "C":
		return "#806600"
	case "D":
		return "#a04a08"
	case "E":
		return "#b83a0c"
	}
	return "#b01818"
}

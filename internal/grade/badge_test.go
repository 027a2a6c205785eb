package grade

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A badge is XML that says what it shows, and loads nothing.
func TestBadges(t *testing.T) {
	for points := range 101 {
		g := &Grade{Points: points}
		badge := g.Badge()
		if !bytes.Equal(badge, g.Badge()) {
			t.Fatal("two badges of one grade differ")
		}
		var texts []string
		for d := xml.NewDecoder(bytes.NewReader(badge)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v\n%s", err, badge)
			}
			if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) != "" {
				texts = append(texts, string(text))
			}
		}
		got := strings.Join(texts, "; ")
		want := "seccomp grade " + g.Letter() + ": " + strconv.Itoa(points) + " of 100 points; seccomp; " + g.Letter() + " " + strconv.Itoa(points)
		if got != want {
			t.Errorf("shows %q, want %q", got, want)
		}
		if rest := bytes.Replace(badge, []byte(`xmlns="http://www.w3.org/2000/svg"`), nil, 1); bytes.Contains(rest, []byte("//")) || bytes.Contains(rest, []byte("url(")) {
			t.Errorf("loads something:\n%s", badge)
		}
	}
}

func TestLetters(t *testing.T) {
	before := "A"
	for points := 100; points >= 0; points-- {
		letter := (&Grade{Points: points}).Letter()
		if letter < before {
			t.Errorf("%d points are %s, and more were %s", points, letter, before)
		}
		before = letter
	}
	if got := strings.Join(Letters(), ""); got != "ABCDEF" || before != "F" {
		t.Errorf("letters %s, and no points are %s", got, before)
	}
}

// White text on the colours has the contrast that WCAG 2.1 asks for.
func TestColors(t *testing.T) {
	for _, letter := range Letters() {
		c := color(letter)
		if !regexp.MustCompile(`^#[0-9a-f]{6}$`).MatchString(c) {
			t.Fatal(c)
		}
		rgb, err := strconv.ParseUint(c[1:], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		luminance := 0.0
		for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
			v := float64(rgb>>(8*i)&0xff) / 255
			if v <= 0.03928 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			luminance += weight * v
		}
		if contrast := 1.05 / (luminance + 0.05); contrast < 4.5 {
			t.Errorf("%s: %s has contrast %.2f, want 4.5", letter, c, contrast)
		}
	}
}

package debian

import "testing"

func TestPickMirror(t *testing.T) {
	const targets = "http://security.example/debian-security/ bookworm-security main Debian\n" +
		"http://other.example/apt/ stable main Other\n" +
		"http://mirror.example/debian/ bookworm contrib Debian\n" +
		"http://mirror.example/debian/ bookworm main Debian\n"
	if got, ok := pickMirror(targets); got != "http://mirror.example/debian/" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, ok := pickMirror("http://fresh.example/debian/ sid main \n"); got != "http://fresh.example/debian/" || !ok {
		t.Errorf("before the first update: %q, %v", got, ok)
	}
	if got, ok := pickMirror("http://ubuntu.example/ubuntu/ noble main Ubuntu\n"); ok {
		t.Errorf("got %q", got)
	}
}

func TestReachSettings(t *testing.T) {
	const dump = "Acquire \"\";\nAcquire::http::Proxy \"http://proxy:3128\";\nAcquire::IndexTargets::deb::X \"\";\n" +
		"Acquire::Check-Valid-Until \"false\";\nAcquire::Languages:: \"none\";\n"
	const want = "Acquire::http::Proxy \"http://proxy:3128\";\nAcquire::Check-Valid-Until \"false\";\n"
	if got := reachSettings(dump); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

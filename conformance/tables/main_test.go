package main

import "testing"

func TestVersionOfHeaders(t *testing.T) {
	const header = "#define LINUX_VERSION_CODE 459264\n#define KERNEL_VERSION(a,b,c) (a)\n#define LINUX_VERSION_MAJOR 7\n#define LINUX_VERSION_PATCHLEVEL 12\n#define LINUX_VERSION_SUBLEVEL 3\n"
	if v, err := parseVersion(header); err != nil || v.String() != "7.12" {
		t.Errorf("%v, %v", v, err)
	}
	for _, bad := range []string{"", "#define LINUX_VERSION_MAJOR 7\n", "#define LINUX_VERSION_MAJOR x\n#define LINUX_VERSION_PATCHLEVEL y\n"} {
		if v, err := parseVersion(bad); err == nil {
			t.Errorf("%q: %v", bad, v)
		}
	}
}

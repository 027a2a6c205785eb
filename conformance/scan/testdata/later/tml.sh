# program: /usr/bin/tml
# package: tml
p '<red>text</red>'; printf '<bold><green>x</green></bold>\n' | p || true; p '<blink>x</blink> <nothing>y</nothing>' || true; p '' || true; seq 1000 | p >/dev/null || true; p -h || true

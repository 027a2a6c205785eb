# program: /usr/bin/ansi2html
# package: colorized-logs
printf '\033[31mred\033[0m text\n\033[1;44mbold\033[m\n' | p | grep -q red
seq 10000 | p >big; p --title x <big >/dev/null 2>&1 || true; p -n </dev/null >/dev/null; p nothing </dev/null >/dev/null 2>&1 || true; p -h >/dev/null 2>&1 || true

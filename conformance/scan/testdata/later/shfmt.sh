# program: /usr/bin/shfmt
# package: shfmt
printf 'if true;then\necho x\nfi\n' >a.sh.in; cp a.sh.in s; mkdir d; printf '#!/bin/sh\nfoo(){ :; }\n' >d/b; p <s; p -w s; p -d d/b || true; p -l d; p -i 2 -ci -sr s; p -s -mn s; p -tojson s >/dev/null || p --to-json <s >/dev/null || true; p -f d; p --version; echo 'if' | p && exit 1; fails p nothing; printf '[*]\nindent_style = space\n' >.editorconfig; p s; p -ln mksh s; fails p -nothing

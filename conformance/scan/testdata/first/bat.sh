# program: /usr/bin/batcat
# package: bat
# runs: /usr/bin/less /usr/bin/git
printf 'fn main() {\n\tprintln!("hello");\n}\n' >x.rs; printf 'import os\n' >y.py; printf '\0\1' >z
p x.rs y.py; p --color=always --style=full x.rs; p -l rust <x.rs; p --list-languages >/dev/null; p --list-themes >/dev/null; p -A z; p -r 1:2 x.rs; p --paging=always x.rs </dev/null; git init -q; git add .; git -c user.name=a -c user.email=a@b commit -qm a; echo more >>x.rs; p --diff x.rs; p --config-file; p --generate-config-file || true; fails p nothing; p --theme=nothing x.rs 2>/dev/null; p --wrap=character --terminal-width=20 x.rs; p cache --build >/dev/null 2>&1 || true; p --diagnostic >/dev/null 2>&1 || true; p --version

# program: /usr/bin/dos2unix
# package: dos2unix
printf 'a\r\nb\r\n' >f; cp f g; cp f h; ln -s h l; p f; p -n g out; p -k h; p <g | cmp - out; p -i g; p -c mac out; p -F l || true; p -R l; p -v g; printf '\0\1\r\n' >bin; p bin || true; p -f bin; fails p nothing; fails p --nothing; p -b -o g; p --version >/dev/null; printf '\377\376a\0\r\0\n\0' >utf16; p -u utf16 || true; p . 2>/dev/null || true; chmod 400 f; p f

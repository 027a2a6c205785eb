# program: /usr/bin/confget
# package: confget
printf '[a]\nx=1\ny = two\n[b]\nx=3\n' >c.ini; p -f c.ini -s a x; p -f c.ini -s b -n x; p -f c.ini -l -s a; p -f c.ini -L -s a 'x*'; p -f c.ini -x -s a '^y$'; p -f c.ini -q sections; p -f - -s a x <c.ini; p -f c.ini -s a -S x; p -f c.ini -s a -p pre -S x; p -f c.ini -s a -c x; fails p -f c.ini -s a -c none; fails p -f nothing x; QUERY_STRING='q=v' p -t http_get q || true; p -O -f c.ini x || true; p -V; p -f c.ini -s a -m 't*' y; fails p

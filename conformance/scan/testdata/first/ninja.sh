# program: /usr/bin/ninja
# package: ninja-build
# runs: /usr/bin/dash /usr/bin/cat /usr/bin/cp /usr/bin/touch /usr/bin/sleep
cat >build.ninja <<'END'
rule cp
  command = cp $in $out
  depfile = $out.d
rule slow
  command = sleep 0.2; cat $in > $out; echo made $out
  description = slow $out
rule bad
  command = false
rule rsp
  command = cp $out.rsp $out
  rspfile = $out.rsp
  rspfile_content = $in
pool one
  depth = 1
build a: cp in
build b: slow a
build c: slow a
  pool = console
build d: rsp a b c
build e: slow a
  pool = one
build x: bad in
default d e
END
echo text >in; p -j 3; p -n; p -v -d stats; touch in; p -d explain -l 100; p -t targets all; p -t graph >/dev/null; p -t commands; p -t query d; p -t deps; p -t compdb >/dev/null; p -t clean; fails p x; fails p nothing; fails p -C nothing; mkdir sub; cp build.ninja in sub; p -C sub; p -k 0 || true; echo broken >broken.ninja; fails p -f broken.ninja; start -v b; sleep 0.1; signal INT; finish; p -t recompact; p --version

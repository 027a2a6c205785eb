# program: /usr/bin/capnp
# package: capnproto
# runs: /usr/bin/capnpc-c++ /usr/bin/capnpc-capnp /usr/bin/dash /usr/bin/cat
export PWD; id=$(p id); printf '%s;\nstruct P { name @0 :Text; age @1 :UInt8 = 3; all @2 :List(P); union { a @3 :Void; b @4 :Data; } }\nconst c :P = (name = "x", age = 7);\ninterface I { f @0 (x :P) -> (y :Text); }\n' "$id" >s.capnp; mkdir out
p compile -oc++:out s.capnp; p compile -ocapnp s.capnp; p compile -o- s.capnp >/dev/null; p eval s.capnp c; p eval -ojson s.capnp c; p eval -obinary s.capnp c >bin; p decode s.capnp P <bin; p decode --short s.capnp P <bin; printf '(name = "y", all = [(name = "z")])' | p encode s.capnp P | p decode s.capnp P; printf '(name = "y")' | p encode --packed s.capnp P | p decode --packed s.capnp P; printf '(name = "y")' | p convert text:json s.capnp P; p convert binary:flat s.capnp P <bin >flat; p convert json:text s.capnp P <<END
{"name": "j"}
END
p --version; p help compile >/dev/null; printf '#!/bin/sh\ncat >/dev/null\n' >plugin; chmod 755 plugin; p compile -o./plugin s.capnp; fails p compile -oc++ nothing.capnp; fails p nothing; fails p eval s.capnp d; echo 'struct' >bad.capnp; fails p compile -oc++ bad.capnp; fails p decode s.capnp P </dev/null || true; fails p compile -onothing s.capnp

# program: /usr/bin/lua5.1
# package: lua5.1
# runs: /usr/bin/dash /usr/bin/cat
cat >m.lua <<'END'
local f = io.open("f", "w"); f:write(("x"):rep(9999)); f:seek("set", 0); f:close(); os.rename("f", "g"); os.remove("g"); io.popen("cat /etc/hostname"):read("*a"); os.execute("true"); io.tmpfile():write("x"); os.tmpname(); os.time(); os.date(); os.clock(); os.getenv("HOME"); os.setlocale("C"); collectgarbage(); print(pcall(require, "nothing")); print(pcall(error, "x")); print(io.open("/nothing")); for l in io.lines("m.lua") do end; print("all done")
END
p m.lua | grep -q 'all done'; p -e 'print(1)'; echo 'print(2)' | p -; printf '=1+1\n' | p -i; fails p nothing.lua; fails p -e 'error()'; fails p -e 'os.exit(3)'; p -v; printf 'print(arg[1])' >a.lua; p a.lua x; p -lnothing 2>/dev/null || true; start -e 'while true do end'; sleep 0.3; signal INT; finish

# program: /usr/bin/lua5.4
# package: lua5.4
# runs: /usr/bin/dash /usr/bin/cat
cat >main.lua <<'END'
local f = assert(io.open("f", "w+")); f:setvbuf("full"); f:write(("x"):rep(100000)); f:seek("set", 10); f:read(5); f:close()
os.rename("f", "g"); os.remove("g"); local p = io.popen("cat /etc/hostname; echo ok"); assert(p:read("a"):find("ok")); p:close(); assert(os.execute("true")); local t = io.tmpfile(); t:write("x"); t:close(); os.tmpname(); os.time(); os.date(); os.clock(); os.getenv("HOME"); os.setlocale("C"); math.randomseed(); collectgarbage(); local c = coroutine.wrap(function() coroutine.yield(1) end); c(); for l in io.lines("main.lua") do end; assert(not io.open("/nothing")); assert(not pcall(error, "x")); assert(not pcall(require, "nothing")); assert(not package.loadlib("libnothing.so", "*")); print("all done")
END
p main.lua | grep -q 'all done'; p -e 'print(1+1)' | grep -q 2; echo 'print(42)' | p - | grep -q 42; printf '1+1\n' | p -i | grep -q 2; fails p nothing.lua; fails p -e 'error("x")'; fails p -e 'os.exit(3, true)'; p -v; p -W -e 'warn("@on")'; start -e 'while true do end'; sleep 0.3; signal INT; finish

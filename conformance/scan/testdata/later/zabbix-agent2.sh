# program: /usr/sbin/zabbix_agent2
# package: zabbix-agent2
# runs: /usr/bin/dash /usr/bin/bash /usr/bin/who /usr/bin/wc /usr/bin/dpkg /usr/bin/rpm
port=$((PORT1 - 30000)) # it takes none above 32767
printf 'LogType=console\nServer=127.0.0.1\nServerActive=127.0.0.1:%s\nHostname=h\nListenPort=%s\nListenIP=127.0.0.1\nPidFile=%s/pid\nControlSocket=%s/ctl\nPluginSocket=%s/plug\nAllowKey=system.run[*]\n' "$PORT2" "$port" "$PWD" "$PWD" "$PWD" >c
for k in agent.ping system.uptime 'vfs.fs.size[/]' 'net.if.in[lo]' 'system.run[echo x]' 'proc.num[]' system.cpu.load 'vfs.file.contents[/etc/hostname]' 'net.tcp.port[127.0.0.1,1]' 'web.page.get[127.0.0.1]' system.uname nothing.key 'vm.memory.size[]' 'vfs.dir.size[/etc/apt]'; do p -c c -t "$k"; done; p -V >/dev/null; p -c c -p >/dev/null 2>&1 || true; fails p -c nothing
start -c c; sleep 3; p -c c -R metrics || true; printf 'agent.ping\n' | python3 -c "import socket,sys; s=socket.create_connection(('127.0.0.1',$port)); s.sendall(b'ZBXD\\x01'+(10).to_bytes(8,'little')+b'agent.ping'); print(s.recv(99))"; signal TERM; finish

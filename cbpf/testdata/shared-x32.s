; x86_64 and x32 share the tests of a number without its bit 30.
.order little
        ld   arch
        jeq  x86_64  jf kill
        ld   nr
        jset #0x40000000  jt x32
        jeq  x86_64:open  jt deny
x32:    and  #0xbfffffff
        jeq  x86_64:read  jt allow
        jgt  #1  jf allow
deny:   ret  ERRNO(0)
kill:   ret  KILL_THREAD
allow:  ret  LOG

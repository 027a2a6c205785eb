; One ABI, as compilers write it that know of x32 and of -1, the number that a
; tracer sets to skip a call.
.order little
        ld   arch
        jeq  x86_64  jf kill
        ld   nr
        jge  #0x40000000  jf known
        jeq  #-1  jf kill
known:  jeq  x86_64:read  jt allow
        jeq  x86_64:write  jt allow
        jge  #335  jt nosys
        jeq  x86_64:ioctl  jf deny
        ld   arg1.lo
        and  #0xff00
        jeq  #0x5400  jt allow
        ret  NOTIFY
deny:   ret  ERRNO(1)
nosys:  ret  ERRNO(38)
kill:   ret  KILL_PROCESS
allow:  ret  ALLOW

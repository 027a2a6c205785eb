; The high half of an argument comes first in memory.
.order big
        ld   arch
        jeq  s390x  jf kill
        ld   nr
        jeq  s390x:personality  jf allow
        ld   arg0.hi
        jeq  #0  jf deny
        ld   arg0.lo
        jge  #0x20009  jt deny
allow:  ret  ALLOW
deny:   ret  ERRNO(5000)
kill:   ret  KILL_THREAD

; Three ABIs that share verdicts and a test of arguments.
.order little
        ld   arch
        jeq  x86_64, wide
        jeq  x86, narrow, foreign

wide:   ld   nr
        jge  #0x40000000  jt foreign
        jgt  x86_64:openat2  jt nosys
        jeq  x86_64:clone3  jt nosys
        jeq  x86_64:personality  jt persona
        jge  #57  jt allow
        jeq  x86_64:socket  jf other
        ld   arg0.lo
        jeq  #40  jt deny
        ld   arg2.hi
        jset #0x10, deny, allow
other:  jeq  x86_64:clone  jf allow
        ld   arg0.lo
        and  #0x7e020000
        jeq  #0, allow, deny

narrow: ld   nr
        jeq  x86:socketcall  jt deny
        jeq  x86:personality  jf rest
persona: ld  arg0.lo
        jeq  #0  jt allow
        jeq  #8  jt allow
        jeq  #-1, allow, deny
rest:   jeq  x86:clone3  jf allow

nosys:  ret  ERRNO(38)
allow:  ret  ALLOW
deny:   ret  ERRNO(1)
foreign: ret KILL_THREAD

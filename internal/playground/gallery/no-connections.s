; Sockets of the Internet fail with EAFNOSUPPORT; everything else is allowed.
; 32-bit programs make sockets through another call, so they end at once.
.order little
        ld    arch
        jeq   x86_64  jf foreign
        ld    nr
        jset  #0x40000000, foreign    ; numbers of x32
        jeq   x86_64:io_uring_setup, nosys
        jeq   x86_64:socket  jf allow
        ld    arg0.lo
        jeq   #2, refuse              ; AF_INET
        jeq   #10, refuse             ; AF_INET6
        jeq   #17, refuse             ; AF_PACKET
allow:  ret   ALLOW
refuse: ret   ERRNO(97)               ; EAFNOSUPPORT
nosys:  ret   ERRNO(38)               ; ENOSYS: io_uring makes sockets, too
foreign: ret  KILL_PROCESS

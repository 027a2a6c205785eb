; A filter that forgets to ask for the ABI.
.order little
        ld   nr
        jeq  x86_64:read  jf 1
        ret  ALLOW
1:      ret  ERRNO(1)

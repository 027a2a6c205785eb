; Everything that the kernel accepts and no compiler writes.
.order little
        ld   nr
        st   M[3]
        ldx  M[3]
        ldx  len
        stx  M[15]
        tax
        txa
        ld   #0x1234
        add  #10000
        sub  x
        mul  x
        div  x
        neg
        or   #0x10
        xor  x
        lsh  x
        ldx  #3
        rsh  x
        rsh  #31
        ld   M[3]
        jeq  #59, 40, 40
40:     jgt  x  jt 50
        .raw 0x07 1 2 0xffffffff
        .raw 0x1d 0 1 0x5
        jset x
        ld   #7
        jeq  #7, 60, 50
        ld   ip.hi
        ja   50
50:     ret  #0x12340000
60:     .raw 0x06 9 9 0x7fff0001
        ld   [60]
        ret  a

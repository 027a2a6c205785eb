package code

func translateARM64(code []byte, addr uint64, ops []op) []op { return ops }

package object

func (r *reader) golang() {}

package broken

var _ int = "text"

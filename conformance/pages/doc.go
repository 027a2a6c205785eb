// Package pages runs README.md and docs/QUICKSTART.md as somebody does who reads them first.
package pages

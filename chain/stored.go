package chain

// StoredHeader is a header as stores keep it.
type StoredHeader struct {
	Header Header
	Seal   []byte // a signature of the header, or none
	Stored bool   // its body and all attachments are at hand
	Bad    bool   // its body breaks a rule
}

package vectors

// A misreading is a way to read the page wrong. The zero value is none.
type misreading int

const (
	none misreading = iota
	badArchIsDefault
	badArchIsProcess
	x32BitIgnored
	skipIsForeign
	x32NeedsBit
	x32Wide
	mipsAlwaysStrict
	mipsNeverStrict
	noBase
	aliases
	unknownNameRefused
	firstNameOnly
	orForAnd
	repeatedIsAnd
	repeatedAlone
	signed64
	signed32
	lessIsLessEqual
	greaterEqualIsGreater
	lowWordOnly
	wideEverywhere
	valuesWide
	argumentsSigned
	maskAndDatumSwapped
	datumNotMasked
	emptyMaskIsCondition
	killIsProcess
	errnoDefaultZero
	traceDefaultZero
	dataCapped
	dataOfAnyAction
	nothingDropped
	dropsByClass
	conditionsBeatUnconditional
	unconditionalInOrder
	lastUnconditional
	profileOrder
	lastRuleWins
	insertsFromTheEnd
	tiesComeFirst
	longerFirst
	lowerArgumentFirst
	boundsFirst
	greaterBeforeLess
	largerAlways
	smallerAlways
	wholeDatums
	upperHalvesEverywhere
	firstContradictionWins
	unreachableContradicts
	noBound
	boundOffByOne
	boundWithoutDropped
	boundWithoutConditional
	boundForAllow
	boundForLog
	boundForTrace
	zeroBounds
	boundSigned
	s390ZeroKnown
	oneBoundForX32
	badArchBeforeBound
	enosysIs38
	holesAreOld
	boundWithoutMultiplexer
	multiplexersIgnored
	muxLosesConditions
	muxKeepsArgument0
	onlyThroughMultiplexer
	everyoneBounds
	looseKeysIgnored
	looseKeysTaken
	seventhCounts
	seventhIgnored
	youkiAnds
	emptyArgsCount
	emptyArgsDrop
	excludesIgnored
	anyCap
	threadBeforeProcess
	notifyBeforeErrno
	kernelTakesFirst
	kernelChains
	enosysLikeOthers
	chainLargerFirst
	unionIntersects
	lackingSaysNothing
	misreadingsEnd
)

func (m *meaning) is(wrong misreading) bool { return m.wrong == wrong }

// misreadings says of each what it gets wrong, and which paragraph. Rows of that paragraph
// must contradict it.
var misreadings = [...]struct{ paragraph, says string }{
	badArchIsDefault:            {"1.3", "other ABIs get the default action"},
	badArchIsProcess:            {"1.3", "other ABIs get KILL_PROCESS"},
	x32BitIgnored:               {"1.4", "x86_64 alone looks x32's numbers up like others"},
	skipIsForeign:               {"1.4", "a tracer's skip is one of x32's numbers"},
	x32NeedsBit:                 {"1.5", "x32 alone refuses all numbers without bit 30"},
	x32Wide:                     {"2.6", "x32 compares 64 bits, as x86_64 does"},
	mipsAlwaysStrict:            {"1.7", "MIPS refuses numbers of its other ABIs"},
	mipsNeverStrict:             {"1.7", "strict mode does not"},
	noBase:                      {"1.8", "numbers have no base"},
	aliases:                     {"1.8", "mmap is mmap2 where only that exists"},
	unknownNameRefused:          {"1.9", "names that no ABI has are refused"},
	firstNameOnly:               {"2.1", "only the first name of an entry counts"},
	orForAnd:                    {"2.2", "one condition is enough"},
	repeatedIsAnd:               {"2.3", "all conditions must hold, also where an argument is tested twice"},
	repeatedAlone:               {"2.3", "only the conditions on the argument that is tested twice are apart"},
	signed64:                    {"2.4", "comparisons of 64 bits are signed"},
	signed32:                    {"2.4", "comparisons of 32 bits are signed"},
	lessIsLessEqual:             {"2.4", "LT holds for the value itself"},
	greaterEqualIsGreater:       {"2.4", "GE does not"},
	lowWordOnly:                 {"2.5", "64-bit ABIs compare the lower 32 bits"},
	wideEverywhere:              {"2.6", "32-bit ABIs compare 64 bits"},
	valuesWide:                  {"2.6", "32-bit ABIs cut arguments and not values"},
	argumentsSigned:             {"2.6", "32-bit ABIs extend the sign of arguments"},
	maskAndDatumSwapped:         {"2.7", "value is the datum and valueTwo the mask"},
	datumNotMasked:              {"2.7", "a datum with bits outside the mask never matches"},
	emptyMaskIsCondition:        {"2.8", "a rule with an empty mask is not unconditional"},
	killIsProcess:               {"2.9", "KILL is KILL_PROCESS"},
	errnoDefaultZero:            {"2.10", "ERRNO without a number has data 0"},
	traceDefaultZero:            {"2.10", "TRACE without a number has data 0"},
	dataCapped:                  {"2.11", "data is capped at 4095"},
	dataOfAnyAction:             {"2.12", "every action has data"},
	nothingDropped:              {"2.13", "rules like the default action are rules"},
	dropsByClass:                {"2.13", "the data of a rule like the default action does not count"},
	conditionsBeatUnconditional: {"3.1", "rules with conditions are exceptions to one without"},
	unconditionalInOrder:        {"3.1", "an unconditional rule decides only if it is the first"},
	lastUnconditional:           {"3.1", "the last unconditional rule decides"},
	profileOrder:                {"3.2", "the first rule of the profile decides"},
	lastRuleWins:                {"3.2", "the last rule of the profile decides"},
	insertsFromTheEnd:           {"3.3", "rules are inserted after the last that ranks before"},
	tiesComeFirst:               {"3.9", "of rules that tie the last decides"},
	longerFirst:                 {"3.4", "the longer list of conditions ranks first"},
	lowerArgumentFirst:          {"3.5", "the lower argument ranks first"},
	boundsFirst:                 {"3.6", "bounds rank before values"},
	greaterBeforeLess:           {"3.6", "GT ranks before LT"},
	largerAlways:                {"3.7", "the larger value ranks first among LT, too"},
	smallerAlways:               {"3.7", "the smaller value always ranks first"},
	wholeDatums:                 {"3.8", "whole data count beside MASKED_EQ, too"},
	upperHalvesEverywhere:       {"3.8", "only upper halves count on 32-bit ABIs, too"},
	firstContradictionWins:      {"3.10", "the first of two contradicting rules decides"},
	unreachableContradicts:      {"3.10", "rules that are never tried contradict each other, too"},
	noBound:                     {"4.1", "new numbers get the default action"},
	boundOffByOne:               {"4.1", "the largest number gets ENOSYS, too"},
	boundWithoutDropped:         {"4.1", "dropped rules do not count"},
	boundWithoutConditional:     {"4.1", "rules with conditions do not count"},
	boundForAllow:               {"4.2", "new numbers get ENOSYS where the default is ALLOW"},
	boundForLog:                 {"4.2", "new numbers get ENOSYS where the default is LOG"},
	boundForTrace:               {"4.2", "new numbers get ENOSYS where the default is TRACE"},
	zeroBounds:                  {"4.3", "0 is a bound like others"},
	boundSigned:                 {"4.4", "negative numbers are below the bound"},
	s390ZeroKnown:               {"4.5", "0 is a number like others on s390"},
	oneBoundForX32:              {"4.6", "x86_64 and x32 have one bound"},
	badArchBeforeBound:          {"4.7", "the bad-arch action comes before the bound"},
	enosysIs38:                  {"4.1", "ENOSYS is 38 everywhere"},
	holesAreOld:                 {"4.9", "numbers that Linux never had get the default action"},
	boundWithoutMultiplexer:     {"5.5", "the multiplexer's number does not count"},
	multiplexersIgnored:         {"5.1", "a rule reaches only the call's own number"},
	muxLosesConditions:          {"5.2", "conditions do not hold behind a multiplexer"},
	muxKeepsArgument0:           {"5.2", "the condition on argument 0 holds there, too"},
	onlyThroughMultiplexer:      {"5.3", "a rule does not reach the call's own number"},
	everyoneBounds:              {"7.1", "crun and youki have a bound"},
	looseKeysIgnored:            {"7.2", "runc ignores keys in the wrong letter case"},
	looseKeysTaken:              {"7.2", "crun takes them"},
	seventhCounts:               {"7.5", "crun reads the seventh condition"},
	seventhIgnored:              {"7.5", "all ignore it"},
	youkiAnds:                   {"7.9", "youki 0.6 wants all conditions"},
	emptyArgsCount:              {"7.10", "youki 0.6 takes a rule with empty args"},
	emptyArgsDrop:               {"7.10", "all drop it"},
	excludesIgnored:             {"9.2", "excludes have no effect"},
	anyCap:                      {"9.3", "one capability of includes is enough"},
	threadBeforeProcess:         {"6.1", "KILL_THREAD is stricter than KILL_PROCESS"},
	notifyBeforeErrno:           {"6.1", "NOTIFY is stricter than ERRNO"},
	kernelTakesFirst:            {"6.2", "the first profile's data counts"},
	kernelChains:                {"6.2", "kernel data is chain data"},
	enosysLikeOthers:            {"6.3", "ENOSYS is a number like others"},
	chainLargerFirst:            {"6.3", "the larger number is stricter"},
	unionIntersects:             {"6.1", "a union gives the stricter action"},
	lackingSaysNothing:          {"6.4", "a profile without the ABI leaves the call to the other"},
}

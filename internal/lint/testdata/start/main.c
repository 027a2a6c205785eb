/* An empty program: all that it does is start and end. */
int main(void) { return 0; }

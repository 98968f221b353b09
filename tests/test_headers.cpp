// A program, for precompiled headers belong to one.
int main() {}

// relationsctl: the operator's tool.
#include "server/ctl/command_line.h"

int main(int argc, char** argv) { return relations::RunCommandLine(argc, argv); }

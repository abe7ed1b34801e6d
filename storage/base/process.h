// What a program that serves sets of its libraries before it starts any thread.
#pragma once

namespace relations {

// Call first in main.
void PrepareProcess();

}  // namespace relations

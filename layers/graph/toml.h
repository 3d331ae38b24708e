#pragma once

// toml++ as all rooms that read TOML include it. A wrong file must end in a message in debug builds too;
// toml++ 3.3 would abort on some.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

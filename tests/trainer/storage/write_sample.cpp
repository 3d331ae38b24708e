/// Writes the file that read_with_reference.py reads: write_sample PATH.
#include <cstdio>
#include <exception>

#include "tests/trainer/storage/storage_fixture.h"

int main(int count, char** arguments) try {
  using convoy::testing::sample_tensors;
  using convoy::testing::views_of;
  if (count != 2) return 2;
  convoy::write_safetensors(arguments[1], views_of(sample_tensors()), {{"step", "12"}, {"é \"\\\n", ""}});
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

#include "trainer/data/file_bytes.h"

#include "layers/core/error.h"
#include "trainer/data/open_file.h"
#include "trainer/data/printable.h"

namespace convoy {

void read_file(const std::string& path, std::vector<std::uint8_t>& out, BudgetClaim* budget) {
  const OpenFile file(path);
  if (file.size() > kMostFileBytes) {
    fail(ExitCode::data, "{}: is of {} bytes, more than the {} that an image may have", printable(path),
         file.size(), kMostFileBytes);
  }
  if (budget != nullptr) budget->add(file.size());
  resize_exactly(out, static_cast<std::size_t>(file.size()));
  out.resize(file.read_at(0, out));  // where it became shorter meanwhile, the decoder will tell
}

}  // namespace convoy

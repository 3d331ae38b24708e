#include "launch/config_files.h"

#include <filesystem>
#include <vector>

#include "layers/core/error.h"
#include "layers/core/text.h"

namespace convoy {

std::string find_config(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code problem;
  std::vector<fs::path> folders;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", problem); !problem) {
    const fs::path here = program.parent_path();
    folders = {here / "configs", here.parent_path() / "configs",
               here.parent_path() / "share" / "convoy" / "configs"};
  }
  folders.emplace_back(CONVOY_CONFIGS);
  std::vector<std::string> looked;
  for (const fs::path& folder : folders) {
    const fs::path file = folder / name;
    if (fs::is_regular_file(file, problem)) return file.lexically_normal().string();
    looked.push_back(folder.lexically_normal().string());
  }
  fail(ExitCode::usage, "there is no file \"{}\"; looked in {}", name, join(looked));
}

}  // namespace convoy

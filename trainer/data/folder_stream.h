#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {

/// An open folder and the names in it. Throws Error(data) with the folder's name where it cannot be read.
class FolderStream {
 public:
  explicit FolderStream(const std::filesystem::path& path) : path_(path), stream_(opendir(path.c_str())) {
    if (stream_ == nullptr) fail_to_read(errno);
  }
  ~FolderStream() { closedir(stream_); }
  FolderStream(const FolderStream&) = delete;
  FolderStream& operator=(const FolderStream&) = delete;

  struct stat status() const {
    struct stat found {};
    if (fstat(dirfd(stream_), &found) != 0) fail_to_read(errno);
    return found;
  }

  /// The next name but "." and "..", or null.
  const dirent* next() {
    while (true) {
      errno = 0;
      const dirent* entry = readdir(stream_);
      if (entry == nullptr && errno != 0) fail_to_read(errno);
      if (entry == nullptr) return nullptr;
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) return entry;
    }
  }

  /// What the name stands for, links followed; st_mode 0 where it stands for nothing.
  struct stat status_of(const char* name) const {
    struct stat found {};
    if (fstatat(dirfd(stream_), name, &found, 0) != 0) found.st_mode = 0;
    return found;
  }

 private:
  [[noreturn]] void fail_to_read(int error) const {
    fail(ExitCode::data, "{}: the folder cannot be read: {}", printable(path_.string()),
         std::strerror(error));
  }

  const std::filesystem::path& path_;
  DIR* stream_;
};

}  // namespace convoy

#include "trainer/data/open_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {

OpenFile::OpenFile(std::string path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) cannot_read(errno);
  struct stat status {};
  const int error = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status.st_mode)) {
    size_ = status.st_size;
    return;
  }
  ::close(descriptor_);
  if (error != 0) cannot_read(error);
  fail(ExitCode::data, "{}: is no regular file", printable(path_));
}

OpenFile::~OpenFile() { ::close(descriptor_); }

void OpenFile::cannot_read(int error) const {
  const bool of_process = error == EMFILE || error == ENFILE || error == ENOMEM;
  fail(of_process ? ExitCode::internal : ExitCode::data, "{}: cannot be read: {}{}", printable(path_),
       std::strerror(error), error == EMFILE ? "; raise the limit: ulimit -n" : "");
}

std::size_t OpenFile::read_at(std::int64_t offset, std::span<std::uint8_t> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done,
                                static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) cannot_read(errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void OpenFile::will_read(std::int64_t offset, std::int64_t bytes) const {
  ::posix_fadvise(descriptor_, offset, bytes, POSIX_FADV_WILLNEED);  // advice: a refusal changes nothing
}

void allow_open_files(std::int64_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const rlim_t wanted = limit.rlim_cur + static_cast<rlim_t>(count);
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted : std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace convoy

#include "trainer/storage/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "layers/core/error.h"

namespace convoy {
namespace {

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  fail(code_of_write(error), "cannot write {}: {}", path, system_message(error));
}

/// Opens, again after a signal. Gives -1 and errno.
int open_descriptor(const std::string& path, int flags) {
  int descriptor = -1;
  do descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

/// fsync, again after a signal. Gives errno or 0.
int sync_descriptor(int descriptor) {
  int result = -1;
  do result = ::fsync(descriptor);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

}  // namespace

std::string system_message(int error) { return std::generic_category().message(error); }

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Descriptor::~Descriptor() { close(); }

void Descriptor::reset(int descriptor) {
  close();
  descriptor_ = descriptor;
}

int Descriptor::close() {
  if (descriptor_ < 0) return 0;
  // Never again after EINTR: on Linux the descriptor is gone whatever close says.
  const int result = ::close(std::exchange(descriptor_, -1));
  return result == 0 || errno == EINTR ? 0 : errno;
}

namespace {

/// The file that a path leads to, through links. What is there must be a file: a device or a folder is not
/// replaced.
std::string file_to_replace(const std::string& path) {
  std::error_code problem;
  const std::filesystem::path file = std::filesystem::weakly_canonical(path, problem);
  const std::filesystem::file_status status =
      std::filesystem::status(problem ? std::filesystem::path(path) : file, problem);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    fail(ExitCode::usage, "{} is not a file that could be replaced; choose another name", path);
  return file.empty() ? path : file.string();
}

}  // namespace

PartialFile::PartialFile(std::string path)
    : path_(file_to_replace(path)),
      partial_path_(fmt::format("{}.partial.{}", path_, ::getpid())),
      file_(open_descriptor(partial_path_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)) {
  if (file_.get() < 0) fail_to_write(path_, errno);
}

PartialFile::~PartialFile() {
  if (!renamed_ && !partial_path_.empty()) ::unlink(partial_path_.c_str());
}

void PartialFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_to_write(path_, written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void PartialFile::rewrite_start(std::span<const std::byte> bytes) {
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) fail_to_write(path_, errno);
  write(bytes);
}

void PartialFile::commit() {
  // The data must be on the disk before the name is: else a crash may leave the name with no data behind it.
  if (const int error = sync_descriptor(file_.get())) fail_to_write(path_, error);
  if (const int error = file_.close()) fail_to_write(path_, error);
  if (::rename(partial_path_.c_str(), path_.c_str()) != 0) fail_to_write(path_, errno);
  renamed_ = true;
  sync_folder(folder_of(path_));
}

InputFile::InputFile(std::string path)
    // A pipe must not make us wait for its writer; regular files ignore the flag.
    : path_(std::move(path)), file_(open_descriptor(path_, O_RDONLY | O_NONBLOCK)) {
  struct stat status {};
  if (file_.get() < 0 || ::fstat(file_.get(), &status) != 0)
    fail(ExitCode::usage, "cannot open {}: {}", path_, system_message(errno));
  if (!S_ISREG(status.st_mode)) fail(ExitCode::usage, "cannot read {}: it is not a regular file", path_);
  size_ = status.st_size;
}

void InputFile::read(std::int64_t place, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(file_.get(), bytes.data(), bytes.size(), place);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(ExitCode::usage, "cannot read {}: {}", path_, system_message(errno));
    if (count == 0) fail(ExitCode::usage, "cannot read {}: it became shorter while it was read", path_);
    place += count;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void sync_folder(const std::string& folder) {
  const Descriptor descriptor(open_descriptor(folder, O_RDONLY | O_DIRECTORY));
  const int error = descriptor.get() < 0 ? errno : sync_descriptor(descriptor.get());
  // EINVAL: a file system on which folders cannot be synced; nothing more can be done there.
  if (error != 0 && error != EINVAL)
    fail(ExitCode::internal, "cannot sync folder {}: {}", folder, system_message(error));
}

}  // namespace convoy

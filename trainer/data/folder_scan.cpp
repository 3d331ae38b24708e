#include "trainer/data/folder_scan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/folder_stream.h"
#include "trainer/data/left_out.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

/// Links can make one folder appear at very many paths without a loop.
constexpr std::size_t kMostFolders = std::size_t{1} << 22;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

bool is_image_name(const std::string& name) {
  static const std::array<std::string, 5> endings{".jpg", ".jpeg", ".jpe", ".jfif", ".png"};
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  std::string ending = name.substr(dot);
  std::ranges::transform(ending, ending.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
  return std::ranges::find(endings, ending) != endings.end();
}

/// Device and number of a folder, and the chain of those that it is in: what a link must not lead back to.
struct Ancestry {
  dev_t device;
  ino_t number;
  std::shared_ptr<const Ancestry> parent;

  bool holds(const struct stat& other) const {
    return (device == other.st_dev && number == other.st_ino) || (parent != nullptr && parent->holds(other));
  }
};

struct Task {
  std::string path;
  std::int32_t label;
  std::shared_ptr<const Ancestry> ancestry;  ///< of the folder it is in; null at the top
};

class Scan {
 public:
  explicit Scan(fs::path root) : root_(std::move(root)) {}

  Listing run(int threads) {
    Listing listing;
    listing.class_names = list_classes(root_);
    listing.folders.push_back({"", -1, modified_time(root_), {}});
    const struct stat top = FolderStream(root_).status();
    const auto ancestry = std::make_shared<const Ancestry>(Ancestry{top.st_dev, top.st_ino, nullptr});
    for (std::size_t i = 0; i < listing.class_names.size(); ++i) {
      tasks_.push_back({listing.class_names[i], static_cast<std::int32_t>(i), ancestry});
    }
    open_ = tasks_.size();
    {
      std::vector<std::jthread> workers;
      for (int i = 0; i < threads; ++i) workers.emplace_back([this] { work(); });
    }
    if (error_) std::rethrow_exception(error_);
    for (ListedFolder& folder : found_) listing.folders.push_back(std::move(folder));
    std::ranges::sort(listing.folders, {}, &ListedFolder::path);
    write_notes(listing);
    return listing;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return !tasks_.empty() || open_ == 0; });
      if (open_ == 0) return;
      const Task task = std::move(tasks_.back());
      tasks_.pop_back();
      lock.unlock();
      std::exception_ptr error;
      std::vector<Task> more;
      ListedFolder folder{task.path, task.label, 0, {}};
      try {
        list(task, folder, more);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (error && !error_) error_ = error;
      if (error_) {  // ends all
        open_ = 0;
        tasks_.clear();
      } else {
        found_.push_back(std::move(folder));
        open_ += more.size();
        --open_;
        std::ranges::move(more, std::back_inserter(tasks_));
      }
      changed_.notify_all();
    }
  }

  void list(const Task& task, ListedFolder& folder, std::vector<Task>& more) {
    const fs::path path = root_ / task.path;
    if (++listed_ > kMostFolders) {
      fail(ExitCode::data, "{}: has more than {} folders; are there links that lead in circles?",
           printable(root_.string()), kMostFolders);
    }
    FolderStream open(path);
    const struct stat own = open.status();
    folder.stamp = nanoseconds(own.st_mtim);
    if (task.ancestry->holds(own)) {
      leave_out(loops_, task.path);
      return;
    }
    const auto ancestry = std::make_shared<const Ancestry>(Ancestry{own.st_dev, own.st_ino, task.ancestry});
    while (const dirent* entry = open.next()) {
      const std::string name = entry->d_name;
      if (name[0] == '.') {
        leave_out(hidden_, task.path + "/" + name);
        continue;
      }
      const struct stat status = open.status_of(entry->d_name);
      if (S_ISDIR(status.st_mode)) {
        more.push_back({task.path + "/" + name, task.label, ancestry});
      } else if (!is_image_name(name)) {
        leave_out(others_, task.path + "/" + name);
      } else if (status.st_mode != 0 && !S_ISREG(status.st_mode)) {
        leave_out(special_, task.path + "/" + name);
      } else {
        folder.files.push_back({name, static_cast<std::uint64_t>(status.st_size)});
      }
    }
    std::ranges::sort(folder.files, {}, &ListedFile::name);
  }

  void leave_out(LeftOut& kind, const std::string& path) {
    const std::lock_guard lock(notes_mutex_);
    kind.add(path);
  }

  void write_notes(Listing& listing) const {
    std::vector<bool> has_images(listing.class_names.size());
    for (const ListedFolder& folder : listing.folders) {
      if (!folder.files.empty()) has_images[static_cast<std::size_t>(folder.label)] = true;
    }
    for (std::size_t i = 0; i < has_images.size(); ++i) {
      if (has_images[i]) continue;
      listing.notes.push_back(
          fmt::format("class folder {} has no image", printable((root_ / listing.class_names[i]).string())));
    }
    loops_.note("links back to a folder that they are in", listing.notes);
    special_.note("what is named as an image but is no regular file", listing.notes);
    others_.note("files without an image's ending", listing.notes);
    hidden_.note("names that start with a dot", listing.notes);
  }

  const fs::path root_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  std::size_t open_ = 0;  ///< folders to list or being listed
  std::vector<ListedFolder> found_;
  std::atomic<std::size_t> listed_ = 0;
  std::exception_ptr error_;
  std::mutex notes_mutex_;
  LeftOut loops_, special_, others_, hidden_;
};

}  // namespace

std::int64_t modified_time(const fs::path& folder) {
  struct stat found {};
  return stat(folder.c_str(), &found) == 0 ? nanoseconds(found.st_mtim) : -1;
}

std::vector<std::string> list_classes(const fs::path& folder) {
  FolderStream open(folder);
  std::vector<std::string> names;
  while (const dirent* entry = open.next()) {
    if (entry->d_name[0] != '.' && S_ISDIR(open.status_of(entry->d_name).st_mode)) {
      names.emplace_back(entry->d_name);
    }
  }
  if (names.empty()) {
    fail(ExitCode::data, "{}: has no folders; put the images of each class into a folder of its name",
         printable(folder.string()));
  }
  std::ranges::sort(names);
  return names;
}

Listing scan_folder(const fs::path& folder, int threads) { return Scan(folder).run(std::max(threads, 1)); }

}  // namespace convoy
